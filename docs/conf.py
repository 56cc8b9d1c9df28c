import importlib
import inspect
import os
import shutil
import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))
URLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]
SOURCE = URLS["Source"]

import sklearn_distill  # noqa: E402
from docs.api_pages import write_api_pages  # noqa: E402
from docs.draw_layers import layers_svg  # noqa: E402
from tests.public_api import public_methods, public_names  # noqa: E402

project = "sklearn_distill"
author = "the sklearn_distill developers"
copyright = f"2026, {author}"
version = release = sklearn_distill.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.linkcode",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # formulas that also render offline
    "sphinx_gallery.gen_gallery",
    "sphinx_sitemap",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

html_theme = "pydata_sphinx_theme"
html_title = f"{project} {version}"
html_show_sourcelink = False
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_baseurl = f"{URLS['Documentation']}/en/stable/"
sitemap_url_scheme = "{link}"
sitemap_show_lastmod = False  # it would ask git about each page
html_css_files = ["wide.css"]
html_context = {"default_mode": "auto"}  # without it the theme complains on the console
html_sidebars = {"*": []}  # no sidebar on pages without subpages
html_theme_options = {
    "show_prev_next": False,
    "header_links_before_dropdown": 5,
    "navbar_persistent": ["search-button"],  # a field does not fit beside the links
    "github_url": SOURCE,
    "footer_start": ["copyright"],
    "footer_end": [],
}

# A notebook's first cell installs the package of the page, for Colab, Binder and other hosts.
NEEDED = "sklearn-distill[plot,neural,search]"
PINNED = f"{NEEDED} @ git+{SOURCE}" if "dev" in release else f"{NEEDED}=={release}"

# The inventories are on the network, which a build here does not need; Read the Docs has it.
intersphinx_mapping = {
    name: (url, None)
    for name, url in {
        "python": "https://docs.python.org/3/",
        "sklearn": "https://scikit-learn.org/stable/",
        "numpy": "https://numpy.org/doc/stable/",
        "pandas": "https://pandas.pydata.org/docs/",
        "torch": "https://docs.pytorch.org/docs/stable/",
        "skorch": "https://skorch.readthedocs.io/en/stable/",
        "optuna": "https://optuna.readthedocs.io/en/stable/",
    }.items()
    if "READTHEDOCS" in os.environ
}

myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # the docstrings give the types, with shapes and ranges
toc_object_entries_show_parents = "hide"
autosummary_context = {
    "public_methods": {path: public_methods(thing) for path, thing in public_names().items()}
}
numpydoc_show_class_members = False  # the class template lists them

# A subfolder of examples/ is added to the gallery if it has a GALLERY_HEADER or README file;
# papers/ has neither. All examples run in every build, and an error in one fails the build.
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "ignore_pattern": "^(?!plot_)",
    "within_subsection_order": "FileNameSortKey",
    "run_stale_examples": True,
    "parallel": 2,
    "doc_module": ("sklearn_distill",),
    "first_notebook_cell": f'%pip install --quiet "{PINNED}"',
    "backreferences_dir": "auto_examples/backreferences",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,  # its page loads scripts from the network
}


def linkcode_resolve(domain: str, info: dict[str, str]) -> str | None:
    """Return the address of an object's source, of the released version or of the main branch."""
    thing = importlib.import_module(info["module"])
    for name in info["fullname"].split("."):
        thing = getattr(thing, name, None)
    thing = inspect.unwrap(getattr(thing, "fget", None) or thing) if thing is not None else None
    try:
        file, (lines, first) = inspect.getsourcefile(thing), inspect.getsourcelines(thing)
    except TypeError:  # an attribute, or a class that is built in
        return None
    if file is None or not Path(file).is_relative_to(ROOT / "sklearn_distill"):
        return None  # inherited from scikit-learn
    branch = "main" if "dev" in release else f"v{release}"
    path = Path(file).relative_to(ROOT).as_posix()
    return f"{SOURCE}/blob/{branch}/{path}#L{first}-L{first + len(lines) - 1}"


for folder in ("api", "auto_examples"):  # remove the pages of objects that no longer exist
    shutil.rmtree(DOCS / folder, ignore_errors=True)
write_api_pages(DOCS / "api")
(DOCS / "api" / "layers.svg").write_text(layers_svg(), "utf-8")
