import inspect
import shutil
import sys
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))

import sklearn_distill  # noqa: E402
from docs.draw_layers import layers_svg  # noqa: E402
from tests.public_api import public_methods, public_modules, public_names  # noqa: E402

project = "sklearn_distill"
author = "the sklearn_distill developers"
copyright = f"2026, {author}"
version = release = sklearn_distill.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # formulas that also render offline
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

html_theme = "pydata_sphinx_theme"
html_title = project
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_sidebars = {"*": []}  # no sidebar on pages without subpages
html_theme_options = {
    "show_prev_next": False,
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
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
    "backreferences_dir": "auto_examples/backreferences",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,  # its page loads scripts from the network
}


def api_section(module: ModuleType, names: list[str]) -> str:
    """Return the section of a module: its docstring and a table of its public names."""
    title = module.__name__
    about = inspect.getdoc(module)
    rows = "\n".join(f"   {name}" for name in names)
    return f"""
{title}
{"-" * len(title)}

{about}

.. currentmodule:: {title}

.. autosummary::
   :toctree: generated

{rows}
"""


def write_api_pages() -> None:
    """Write docs/api/index.rst from the ``__all__`` of each module; autosummary adds the pages."""
    names: dict[str, list[str]] = {}
    for path in public_names():
        module_name, name = path.rsplit(".", 1)
        names.setdefault(module_name, []).append(name)
    modules = [module for module in public_modules() if module.__name__ in names]
    sections = [api_section(module, names[module.__name__]) for module in modules]
    (DOCS / "api").mkdir()
    title = "API reference"
    page = "\n".join([title, "=" * len(title), *sections])
    (DOCS / "api" / "index.rst").write_text(page, "utf-8")


for folder in ("api", "auto_examples"):  # remove the pages of objects that no longer exist
    shutil.rmtree(DOCS / folder, ignore_errors=True)
write_api_pages()
(DOCS / "api" / "layers.svg").write_text(layers_svg(), "utf-8")
