"""Plot a loss or a probability over λ and T, with the optimum and the path of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sklearn_distill._typing import MatrixLike, TargetLike
from sklearn_distill.inspection._drawing import axes_for, make_logarithmic
from sklearn_distill.inspection._metaparameter_values import (
    best_setting,
    cell_edges,
    evaluated_settings,
    probability_grid,
    read_path,
    read_settings,
    score_name,
    scoring_label,
)
from sklearn_distill.inspection._study_values import setting_of_trial, study_settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection, QuadMesh
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from optuna.study import Study
    from sklearn.base import BaseEstimator

# red is visible on every colour of viridis and on white
_RED = "#e41a1c"
_LINE: dict[str, Any] = {
    "color": _RED,
    "linewidth": 1.2,
    "marker": "o",
    "markersize": 4,
    "markeredgecolor": "w",
}
_RINGS: dict[str, Any] = {"color": "w", "edgecolor": _RED, "s": 18}
_BEST: dict[str, Any] = {"color": _RED, "marker": "*", "s": 180, "edgecolor": "w", "zorder": 3}


class MetaparameterDisplay:
    """Plot of a loss or a class's probability over λ and T, with optimum and path of a search.

    The axis of T is logarithmic. A full grid of settings is plotted as one cell per setting,
    other settings as one coloured point each: nothing is interpolated. Create one with
    :meth:`from_estimator`, :meth:`from_study`, :meth:`from_values` or :meth:`from_probability`;
    :meth:`plot` plots it again.

    Parameters
    ----------
    imitation : array-like of shape (n_imitation,) or (n_settings,)
        Values of λ.
    temperature : array-like of shape (n_temperature,) or (n_settings,)
        Values of T > 0.
    values : array-like of shape (n_imitation, n_temperature) or (n_settings,)
        The plotted data: a grid, or one value for each setting.
    best : tuple of float, default=None
        The optimum (λ, T), which is marked.
    path : DataFrame or array-like of shape (n_evaluations, 2), default=None
        λ and T in the order in which a search evaluated them. If a DataFrame has a column stage,
        only the stage "descent" is joined by lines; the other evaluations are rings.
    value_name : str, default=None
        Label of the colour bar.

    Attributes
    ----------
    settings_ : Settings
        The plotted data: ``imitation``, ``temperature`` and ``values``, one for each setting, and
        ``grid``, a DataFrame if they form a full grid.
    path_ : DataFrame or None
        The path, with the columns imitation, temperature and stage.
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    surface_ : QuadMesh or PathCollection
        The cells of a grid, or the points.
    path_line_ : Line2D or None
        The line of the stage descent.
    path_points_ : PathCollection or None
        The other evaluations of the path.
    best_point_ : PathCollection or None
        The marker of the optimum.
    colorbar_ : matplotlib Colorbar or None
        The colour bar of the cells or points.

    Raises
    ------
    ValueError
        If shapes do not fit, λ is not finite or T not above 0.

    Examples
    --------
    >>> display = MetaparameterDisplay.from_values(
    ...     [0.0, 0.5, 1.0], [1.0, 4.0], [[0.6, 0.6], [0.5, 0.55], [0.7, 0.8]], best=(0.5, 1.0)
    ... )
    >>> display.surface_.get_array().tolist()
    [[0.6, 0.6], [0.5, 0.55], [0.7, 0.8]]
    """

    ax_: Axes
    figure_: Figure
    surface_: QuadMesh | PathCollection
    path_line_: Line2D | None
    path_points_: PathCollection | None
    best_point_: PathCollection | None
    colorbar_: Colorbar | None

    def __init__(
        self,
        *,
        imitation: ArrayLike,
        temperature: ArrayLike,
        values: ArrayLike,
        best: tuple[float, float] | None = None,
        path: pd.DataFrame | ArrayLike | None = None,
        value_name: str | None = None,
    ) -> None:
        self.settings_ = read_settings(imitation, temperature, values)
        self.path_ = None if path is None else read_path(path)
        self.best = None if best is None else (float(best[0]), float(best[1]))
        self.value_name = value_name

    @classmethod
    def from_estimator(
        cls,
        search: BaseEstimator,
        *,
        surface: BaseEstimator | None = None,
        ax: Axes | None = None,
        **surface_kw: Any,
    ) -> Self:
        """Plot the results of a fitted search.

        A score that is a negative loss is plotted as the loss. Of settings with the same λ and T
        the best score is plotted, whatever their other hyperparameters, such as C.

        Parameters
        ----------
        search : fitted DistilledLogisticRegressionCV, GridSearchCV or RandomizedSearchCV
            A search over a student or a pipeline with one. Its optimum is marked, and its
            ``path_`` plotted if it has one.
        surface : fitted search, default=None
            Another search whose settings are plotted below, such as one over a grid: a descent
            evaluates too few settings to show the loss. None is `search`.
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.
        **surface_kw : dict
            Keyword arguments of the cells or points, such as ``cmap`` and ``norm``.

        Returns
        -------
        MetaparameterDisplay
            The plot, with its figure.

        Raises
        ------
        ValueError
            If a search is not fitted, or did not vary both λ and T.
        """
        settings = evaluated_settings(search)
        if surface is not None:
            settings = evaluated_settings(surface, "surface")
        path = getattr(search, "path_", None)
        display = cls(
            **vars(settings),
            best=best_setting(search),
            # the path of a grid search is the grid, which is plotted anyway
            path=None if path is None or (path["stage"] == "grid").all() else path,
            value_name=score_name(search if surface is None else surface),
        )
        return display.plot(ax=ax, **surface_kw)

    @classmethod
    def from_study(
        cls,
        study: Study,
        *,
        scoring: str | None = None,
        ax: Axes | None = None,
        **surface_kw: Any,
    ) -> Self:
        """Plot the finished trials of an Optuna study.

        Of trials with the same λ and T the best value is plotted; pruned and failed trials, and
        those of a conditional space that drew only one of the two, are left out.

        Parameters
        ----------
        study : optuna.study.Study
            A study of one objective whose parameters are imitation and temperature, of a pipeline
            ``step__imitation``, as those of
            :func:`~sklearn_distill.search.distillation_objective`. Its best trial is marked.
        scoring : str, default=None
            Name of the objective's scorer. A negative loss ("neg_log_loss") is plotted as the loss.
            None plots the values as they are.
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.
        **surface_kw : dict
            Keyword arguments of the cells or points, such as ``cmap`` and ``norm``.

        Returns
        -------
        MetaparameterDisplay
            The plot, with its figure.

        Raises
        ------
        ValueError
            If the study has several objectives, or no finished trial with both λ and T.
        """
        as_loss = scoring is not None and scoring.startswith("neg_")
        display = cls(
            **vars(study_settings(study, as_loss=as_loss)),
            best=setting_of_trial(study.best_trial),
            value_name="objective" if scoring is None else scoring_label(scoring),
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
        path: pd.DataFrame | ArrayLike | None = None,
        value_name: str | None = None,
        ax: Axes | None = None,
        **surface_kw: Any,
    ) -> Self:
        """Plot given values.

        Parameters
        ----------
        imitation : array-like of shape (n_imitation,) or (n_settings,)
            Values of λ.
        temperature : array-like of shape (n_temperature,) or (n_settings,)
            Values of T > 0.
        values : array-like of shape (n_imitation, n_temperature) or (n_settings,)
            A grid, or one value for each setting.
        best : tuple of float, default=None
            The optimum (λ, T), which is marked.
        path : DataFrame or array-like of shape (n_evaluations, 2), default=None
            λ and T in the order in which a search evaluated them.
        value_name : str, default=None
            Label of the colour bar.
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.
        **surface_kw : dict
            Keyword arguments of the cells or points.

        Returns
        -------
        MetaparameterDisplay
            The plot, with its figure.

        Raises
        ------
        ValueError
            If shapes do not fit, λ is not finite or T not above 0.
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
        student: BaseEstimator,
        X: MatrixLike,
        y: TargetLike,
        *,
        row: ArrayLike,
        label: Any,
        imitation: ArrayLike,
        temperature: ArrayLike,
        fit_params: dict[str, Any] | None = None,
        ax: Axes | None = None,
        **surface_kw: Any,
    ) -> Self:
        """Fit a student at each point of a grid and plot the probability of a class for a sample.

        Parameters
        ----------
        student : estimator
            A student with parameters imitation and temperature; it is cloned for each fit.
        X, y : array-like
            Training samples and labels.
        row : array-like of shape (n_features,)
            The features of the sample.
        label : int, str or other
            The class whose probability is plotted.
        imitation : array-like of shape (n_imitation,)
            Values of λ.
        temperature : array-like of shape (n_temperature,)
            Values of T > 0.
        fit_params : dict, default=None
            Arguments of ``fit``, such as the teacher's predictions.
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.
        **surface_kw : dict
            Keyword arguments of the cells, passed to ``Axes.pcolormesh``.

        Returns
        -------
        MetaparameterDisplay
            The plot, with its figure.

        Raises
        ------
        ValueError
            If `label` is none of the student's classes, or `fit_params` has no teacher.
        """
        values = probability_grid(
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

    def plot(self, ax: Axes | None = None, *, colorbar: bool = True, **surface_kw: Any) -> Self:
        """Plot the values, the path and the optimum.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.
        colorbar : bool, default=True
            Whether to plot a colour bar.
        **surface_kw : dict
            Keyword arguments of the cells or points, such as ``cmap`` and ``norm``.

        Returns
        -------
        self
            With ``ax_``, ``figure_`` and the artists that were plotted.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` is not one Axes.
        """
        (axes,) = axes_for(ax, 1)
        self.ax_, self.figure_ = axes, axes.figure
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

    def _draw_surface(self, options: dict[str, Any]) -> QuadMesh | PathCollection:
        grid = self.settings_.grid
        if grid is None:
            at = self.settings_.temperature, self.settings_.imitation
            return self.ax_.scatter(*at, c=self.settings_.values, **{"zorder": 2} | options)
        # T's cells meet at geometric means, which lie halfway on the log axis
        T = np.exp(cell_edges(np.log(grid.columns.to_numpy())))
        return self.ax_.pcolormesh(T, cell_edges(grid.index.to_numpy()), grid.to_numpy(), **options)

    def _draw_path(self) -> None:
        self.path_line_ = self.path_points_ = None
        if self.path_ is None:
            return
        in_descent = self.path_["stage"] == "descent"
        descent, rings = self.path_[in_descent], self.path_[~in_descent]
        if len(descent):
            at = descent["temperature"], descent["imitation"]
            (self.path_line_,) = self.ax_.plot(*at, label="descent", **_LINE)
        if len(rings):
            at = rings["temperature"], rings["imitation"]
            self.path_points_ = self.ax_.scatter(*at, label="other evaluations", **_RINGS)

    def _draw_best(self) -> None:
        self.best_point_ = None
        if self.best is not None:
            lam, T = self.best
            self.best_point_ = self.ax_.scatter([T], [lam], label="best", **_BEST)
        if self.path_ is not None or self.best is not None:
            self.ax_.legend(fontsize="small")
