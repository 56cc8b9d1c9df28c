"""Draw a loss or a probability over λ and T, with the optimum and the path of a search."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sklearn_distill.inspection._drawing import axes_for, make_logarithmic
from sklearn_distill.inspection._probability_surface import probability_surface
from sklearn_distill.inspection._search_results import chosen, settings_tried, value_name
from sklearn_distill.inspection._settings_tried import edges, read_path, read_settings

# red is seen on all of viridis and on white
_RED = "#e41a1c"
_LINE = {"color": _RED, "linewidth": 1.2, "marker": "o", "markersize": 4, "markeredgecolor": "w"}
_OTHERS = {"color": "w", "edgecolor": _RED, "s": 18}
_BEST = {"color": _RED, "marker": "*", "s": 180, "edgecolor": "w", "zorder": 3}


class MetaparameterDisplay:
    """Drawing of a loss or a class's probability over λ and T, with optimum and path of a search.

    T is on a log axis. A full grid of settings is drawn as one cell for each of them, anything else
    as one coloured point for each: nothing is interpolated. Make one by :meth:`from_estimator`,
    :meth:`from_values` or :meth:`from_probability`; :meth:`plot` draws it again.

    Parameters
    ----------
    imitation : array-like of shape (n_imitation,) or (n_settings,)
        λ.
    temperature : array-like of shape (n_temperature,) or (n_settings,)
        T > 0.
    values : array-like of shape (n_imitation, n_temperature) or (n_settings,)
        What is drawn: a grid, or one value for each setting.
    best : tuple of float, default=None
        (λ, T) to mark.
    path : DataFrame or array-like of shape (n_evaluations, 2), default=None
        λ and T in the order in which a search tried them. Of a DataFrame with a column stage only
        the stage "descent" is joined by lines, the others are rings.
    value_name : str, default=None
        Label of the colour bar.

    Attributes
    ----------
    settings_ : Settings
        The numbers: ``imitation``, ``temperature`` and ``values``, one for each setting, and
        ``grid``, a DataFrame if they are a full grid.
    path_ : DataFrame or None
        Columns imitation, temperature and stage.
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    surface_ : QuadMesh or PathCollection
        The cells, or the points.
    path_line_ : Line2D or None
        The descent.
    path_points_ : PathCollection or None
        The other evaluations of the path.
    best_point_ : PathCollection or None
        The optimum.
    colorbar_ : matplotlib Colorbar or None
        The colour bar.

    Raises
    ------
    ValueError
        If shapes do not fit, or λ or T are no such numbers.

    Examples
    --------
    >>> display = MetaparameterDisplay.from_values(
    ...     [0.0, 0.5, 1.0], [1.0, 4.0], [[0.6, 0.6], [0.5, 0.55], [0.7, 0.8]], best=(0.5, 1.0)
    ... )
    >>> display.surface_.get_array().tolist()
    [[0.6, 0.6], [0.5, 0.55], [0.7, 0.8]]
    """

    ax_: Any
    figure_: Any
    surface_: Any
    path_line_: Any
    path_points_: Any
    best_point_: Any
    colorbar_: Any

    def __init__(
        self,
        *,
        imitation: ArrayLike,
        temperature: ArrayLike,
        values: ArrayLike,
        best: tuple[float, float] | None = None,
        path: Any = None,
        value_name: str | None = None,
    ) -> None:
        self.settings_ = read_settings(imitation, temperature, values)
        self.path_ = None if path is None else read_path(path)
        self.best = None if best is None else (float(best[0]), float(best[1]))
        self.value_name = value_name

    @classmethod
    def from_estimator(
        cls, search: Any, *, surface: Any = None, ax: Any = None, **surface_kw: Any
    ) -> Self:
        """Draw what a fitted search found.

        A score that is a negative loss is drawn as the loss. Of settings with the same λ and T
        the best counts, whatever else, such as C, they were tried with.

        Parameters
        ----------
        search : fitted DistilledLogisticRegressionCV, GridSearchCV or RandomizedSearchCV
            Over a student or a pipeline with one. Its choice is marked, and its ``path_``, if it
            has one, drawn.
        surface : fitted search, default=None
            Another search whose settings are drawn below, such as one over a grid: few settings
            of a descent make no surface. None is ``search``.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **surface_kw : dict
            Arguments of the cells or points, such as ``cmap`` and ``norm``.

        Returns
        -------
        MetaparameterDisplay
            The drawing.

        Raises
        ------
        ValueError
            If a search is not fitted, or did not try both λ and T.
        """
        own = settings_tried(search)
        drawn = own if surface is None else settings_tried(surface, "surface")
        path = getattr(search, "path_", None)
        display = cls(
            **vars(drawn),
            best=chosen(search),
            path=None if path is None or (path["stage"] == "grid").all() else path,
            value_name=value_name(search if surface is None else surface),
        )
        return display.plot(ax=ax, **surface_kw)

    @classmethod
    def from_values(
        cls,
        imitation: ArrayLike,
        temperature: ArrayLike,
        values: ArrayLike,
        *,
        best: tuple[float, float] | None = None,
        path: Any = None,
        value_name: str | None = None,
        ax: Any = None,
        **surface_kw: Any,
    ) -> Self:
        """Draw plain arrays.

        Parameters
        ----------
        imitation : array-like of shape (n_imitation,) or (n_settings,)
            λ.
        temperature : array-like of shape (n_temperature,) or (n_settings,)
            T > 0.
        values : array-like of shape (n_imitation, n_temperature) or (n_settings,)
            A grid, or one value for each setting.
        best : tuple of float, default=None
            (λ, T) to mark.
        path : DataFrame or array-like of shape (n_evaluations, 2), default=None
            λ and T in the order of a search.
        value_name : str, default=None
            Label of the colour bar.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **surface_kw : dict
            Arguments of the cells or points.

        Returns
        -------
        MetaparameterDisplay
            The drawing.

        Raises
        ------
        ValueError
            If shapes do not fit, or λ or T are no such numbers.
        """
        display = cls(
            imitation=imitation,
            temperature=temperature,
            values=values,
            best=best,
            path=path,
            value_name=value_name,
        )
        return display.plot(ax=ax, **surface_kw)

    @classmethod
    def from_probability(
        cls,
        student: Any,
        X: Any,
        y: Any,
        *,
        row: ArrayLike,
        label: Any,
        imitation: ArrayLike,
        temperature: ArrayLike,
        fit_params: dict[str, Any] | None = None,
        ax: Any = None,
        **surface_kw: Any,
    ) -> Self:
        """Fit a student at each point of a grid and draw a class's probability for one row.

        Parameters
        ----------
        student : estimator
            With parameters imitation and temperature; it is cloned.
        X, y : array-like
            Training rows and labels.
        row : array-like of shape (n_features,)
            The row that the students are asked about.
        label : int, str or other
            The class.
        imitation : array-like of shape (n_imitation,)
            λ.
        temperature : array-like of shape (n_temperature,)
            T > 0.
        fit_params : dict, default=None
            Further arguments of ``fit``: the teacher's answers and the like.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **surface_kw : dict
            Arguments of the cells.

        Returns
        -------
        MetaparameterDisplay
            The drawing.

        Raises
        ------
        ValueError
            If the students do not know the class.
        """
        values = probability_surface(
            student,
            X,
            y,
            row=row,
            label=label,
            imitation=imitation,
            temperature=temperature,
            fit_params=fit_params,
        )
        display = cls(
            imitation=imitation,
            temperature=temperature,
            values=values,
            value_name=f"probability of {label}",
        )
        return display.plot(ax=ax, **surface_kw)

    def plot(self, ax: Any = None, *, colorbar: bool = True, **surface_kw: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        colorbar : bool, default=True
            Whether to draw the colour bar.
        **surface_kw : dict
            Arguments of the cells or points, such as ``cmap`` and ``norm``.

        Returns
        -------
        self
            With ``ax_``, ``figure_`` and what was drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If ``ax`` is not one Axes.
        """
        (self.ax_,) = axes_for(ax, 1)
        self.figure_ = self.ax_.figure
        make_logarithmic(self.ax_, "x")
        self.ax_.set(xlabel="temperature T", ylabel="imitation λ")
        self.surface_ = self._draw_surface(surface_kw)
        self.colorbar_ = None
        if colorbar:
            self.colorbar_ = self.figure_.colorbar(
                self.surface_, ax=self.ax_, label=self.value_name
            )
        self._draw_path()
        self._draw_best()
        return self

    def _draw_surface(self, options: dict[str, Any]) -> Any:
        grid = self.settings_.grid
        if grid is None:
            at = self.settings_.temperature, self.settings_.imitation
            return self.ax_.scatter(*at, c=self.settings_.values, **{"zorder": 2} | options)
        T = np.exp(edges(np.log(grid.columns.to_numpy())))
        return self.ax_.pcolormesh(T, edges(grid.index.to_numpy()), grid.to_numpy(), **options)

    def _draw_path(self) -> None:
        self.path_line_ = self.path_points_ = None
        if self.path_ is None:
            return
        descends = self.path_["stage"] == "descent"
        descent, others = self.path_[descends], self.path_[~descends]
        if len(descent):
            at = descent["temperature"], descent["imitation"]
            (self.path_line_,) = self.ax_.plot(*at, label="descent", **_LINE)
        if len(others):
            at = others["temperature"], others["imitation"]
            self.path_points_ = self.ax_.scatter(*at, label="other evaluations", **_OTHERS)

    def _draw_best(self) -> None:
        self.best_point_ = None
        if self.best is not None:
            lam, T = self.best
            self.best_point_ = self.ax_.scatter([T], [lam], label="best", **_BEST)
        if self.path_ is not None or self.best is not None:
            self.ax_.legend(fontsize="small")
