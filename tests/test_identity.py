"""What the project says about itself is the same in each place that says it."""

import re
import tomllib
from pathlib import Path

import pytest

import sklearn_distill

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FILES = [
    *(ROOT / name for name in ("CITATION.cff", "RELEASING.md", "README.md", "conda/recipe.yaml")),
    *sorted((ROOT / ".github").rglob("*.yml")),
    ROOT / "docs/conf.py",
]
ADDRESS = re.compile(r"https?://[\w.]*(?:github\.com/|readthedocs)[\w./-]*")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_addresses_are_those_of_the_project(path):
    known = tuple(PROJECT["urls"].values())
    ours = [url for url in ADDRESS.findall(path.read_text("utf-8")) if "distill" in url]
    assert [url for url in ours if not url.rstrip("/").startswith(known)] == []


def test_the_version_is_stated_once():
    assert "version" in PROJECT["dynamic"]
    places = [
        path.name
        for path in (ROOT / "pyproject.toml", ROOT / "CITATION.cff", ROOT / "docs/conf.py")
        if sklearn_distill.__version__ in path.read_text("utf-8")
    ]
    assert places == []


def test_supported_versions_are_tested():
    workflow = (ROOT / ".github/workflows/ci.yml").read_text("utf-8")
    stated = {text.rsplit(" ", 1)[1] for text in PROJECT["classifiers"] if ":: 3." in text}
    tested = set(re.findall(r'"(3\.\d+)"', workflow))
    assert stated == tested


def test_dependencies_of_the_recipe_are_those_of_the_package():
    recipe = (ROOT / "conda/recipe.yaml").read_text("utf-8")
    run = recipe.split("  run:\n")[1].split("\n\n")[0]
    listed = {line.strip("- ").replace(" ", "") for line in run.splitlines()}
    assert listed - {"python>=${{python_min}}"} == set(PROJECT["dependencies"])
