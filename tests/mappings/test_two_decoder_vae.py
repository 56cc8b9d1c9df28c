"""A map between domains that share classes, and no pixels."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_validate
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from benchmarks import domain_mapping
from sklearn_distill import TwoDecoderVAE
from sklearn_distill.datasets import fetch_fashion_mnist, fetch_mnist
from sklearn_distill.mappings._pairs import PairsByLabel
from sklearn_distill.mappings._vae import TwoDecoderNetwork


def test_classes_survive(domains, phi, teacher):
    """Without φ the teacher is at 0.18 on the target domain."""
    assert teacher.score(phi.transform(domains.X), domains.y) > 0.95
    assert teacher.score(phi.transform(domains.X_unseen), domains.y_unseen) > 0.9
    assert teacher.score(domains.X_unseen, domains.y_unseen) < 0.3


def test_reconstruction_is_the_image(domains, phi):
    """Closer to its own image than the mean image is, on images that were not fitted."""
    error = np.square(phi.reconstruct(domains.X_unseen) - domains.X_unseen).mean()
    assert error < 0.6 * np.square(domains.X.mean(axis=0) - domains.X_unseen).mean()


def test_draws_are_distinct_images_of_the_class(domains, phi, teacher):
    draws = phi.sample(domains.X[:40], 5, random_state=0)
    assert draws.shape == (40, 5, 64)
    assert draws.dtype == np.float32
    assert len(np.unique(draws.reshape(200, -1), axis=0)) == 200
    assert teacher.score(draws.reshape(200, -1), np.repeat(domains.y[:40], 5)) > 0.85
    np.testing.assert_array_equal(draws, phi.sample(domains.X[:40], 5, random_state=0))
    assert not np.array_equal(draws, phi.sample(domains.X[:40], 5, random_state=1))


def test_draws_have_the_mean_and_spread_of_q(domains, phi):
    """Through a decoder that is the identity: z itself, 20000 times."""
    linear = pickle.loads(pickle.dumps(phi))
    decoder = torch.nn.Linear(16, 16, bias=False)
    torch.nn.init.eye_(decoder.weight).requires_grad_(False)
    linear.network_.to_source = decoder
    pixels = linear.sample(domains.X[:1], 20_000, random_state=0)[0].astype(float)
    z = np.log(pixels / (1 - pixels))
    with torch.no_grad():
        mean, deviation = phi.network_.encode(torch.tensor(domains.X[:1], dtype=torch.float32))
    np.testing.assert_allclose(z.mean(axis=0), mean[0], atol=0.03)
    np.testing.assert_allclose(z.std(axis=0), deviation[0], rtol=0.03)


def test_loss_is_what_the_docstring_says():
    """Against torch.distributions, at the drawn z."""
    generator = torch.Generator().manual_seed(0)
    network = TwoDecoderNetwork(6, 4, 5, 3, generator)
    x, x_source = torch.rand(7, 6, generator=generator), torch.rand(7, 4, generator=generator)
    noise = torch.randn(2, 7, 3, generator=generator)
    q = torch.distributions.Normal(*network.encode(x))
    z_1, z_2 = q.mean + q.stddev * noise
    divergence = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1)
    p_1, p_2 = torch.sigmoid(network.to_source(z_1)), torch.sigmoid(network.to_target(z_2))
    expected = 3.0 * divergence
    for p, pixels in ((p_1, x_source), (p_2, x)):
        expected = expected - (pixels * p.log() + (1 - pixels) * (1 - p).log()).sum(1)
    found = network.negative_elbo(x, x_source, noise, 3.0)
    torch.testing.assert_close(found, expected.mean())


def test_loss_falls(phi):
    assert len(phi.loss_curve_) == 60
    assert phi.loss_curve_[-1] < phi.loss_curve_[10] < phi.loss_curve_[0]


def test_learning_rates_by_epoch(domains):
    schedulers = torch.optim.lr_scheduler

    def losses(schedule):
        return domains.fitted(max_epochs=4, lr_schedule=schedule).loss_curve_

    constant, cosine = losses(None), losses("cosine")
    assert cosine == losses(lambda optimizer: schedulers.CosineAnnealingLR(optimizer, 4))
    assert cosine == losses(
        lambda optimizer: schedulers.LambdaLR(optimizer, lambda t: (1 + np.cos(np.pi * t / 4)) / 2)
    ), "falls to 0 at max_epochs"
    impatient = losses(
        lambda optimizer: schedulers.ReduceLROnPlateau(optimizer, patience=0, threshold=0.99)
    )
    assert constant[0] == cosine[0] == impatient[0]
    assert len({constant[-1], cosine[-1], impatient[-1]}) == 3
    with pytest.raises(TypeError, match="lr_schedule returned NoneType"):
        losses(lambda optimizer: None)
    other = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    with pytest.raises(TypeError, match="lr_schedule returned StepLR: from the optimiser that"):
        losses(lambda optimizer: schedulers.StepLR(other, 1))


def test_random_state_decides_and_global_generators_are_left_alone(domains):
    states = torch.get_rng_state(), np.random.get_state(legacy=False)  # noqa: NPY002
    one, same = (domains.fitted(max_epochs=2) for _ in range(2))
    other = domains.fitted(max_epochs=2, random_state=1)
    one.sample(domains.X[:2], random_state=0)
    assert torch.equal(torch.get_rng_state(), states[0])
    np.testing.assert_equal(np.random.get_state(legacy=False), states[1])  # noqa: NPY002
    np.testing.assert_array_equal(one.transform(domains.X), same.transform(domains.X))
    assert not np.allclose(one.transform(domains.X), other.transform(domains.X))


def test_pairing(domains):
    """With one source image for each target image, drawn once and in order are the same."""
    partners = domains.X_source[:500]
    params = {"max_epochs": 2, "random_state": 0}
    in_order = TwoDecoderVAE(**params).fit(domains.X, X_source=partners)
    once = TwoDecoderVAE(pairing="once", **params)
    numbers = np.arange(500)
    once.fit(domains.X, numbers, X_source=partners[::-1], y_source=numbers[::-1])
    anew = clone(once).set_params(pairing="epoch")
    anew.fit(domains.X, numbers, X_source=partners[::-1], y_source=numbers[::-1])
    assert once.loss_curve_ == pytest.approx(in_order.loss_curve_, rel=0.02)
    assert anew.loss_curve_ == pytest.approx(in_order.loss_curve_, rel=0.02)


def test_pairs_have_equal_labels_and_reach_every_source_row():
    y, y_source = np.array(["b", "a", "b"]), np.array(["a", "b", "c", "b", "a"])
    pairs = PairsByLabel.of(y, y_source)
    random_state = np.random.RandomState(0)
    draws = np.array([pairs.draw(random_state) for _ in range(3000)])
    assert (y_source[draws] == y).all()
    for column, rows in enumerate([[1, 3], [0, 4], [1, 3]]):
        shares = np.bincount(draws[:, column], minlength=5) / 3000
        np.testing.assert_allclose(shares[rows], 0.5, atol=0.04)


def test_it_is_a_transformer(domains, phi):
    again = pickle.loads(pickle.dumps(phi))
    np.testing.assert_array_equal(again.transform(domains.X), phi.transform(domains.X))
    assert clone(phi).get_params() == phi.get_params()
    assert phi.n_features_in_ == 64
    assert (phi.transform(domains.X[:1]) > 0).all()
    np.testing.assert_allclose(phi.transform(domains.X)[3:4], phi.transform(domains.X[3:4]), 1e-5)
    frame = clone(phi).set_params(max_epochs=1).set_output(transform="pandas")
    columns = [f"pixel{i}" for i in range(64)]
    X = pd.DataFrame(domains.X, columns=columns)
    frame.fit(X, domains.y, X_source=domains.X_source, y_source=domains.y_source)
    assert list(frame.transform(X).columns[:1]) == ["twodecodervae0"]
    assert list(frame.feature_names_in_) == columns


def test_domains_may_differ_in_size(domains):
    narrow = domains.X_source[:, :40]
    phi = TwoDecoderVAE(max_epochs=1).fit(
        domains.X, domains.y, X_source=narrow, y_source=domains.y_source
    )
    assert phi.transform(domains.X).shape == (500, 40)
    assert phi.reconstruct(domains.X).shape == (500, 64)
    assert len(phi.get_feature_names_out()) == 40


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": 255 * np.ones((500, 64))}, "X has pixels from 255 to 255.*dividing by 255"),
        ({"X_source": -np.ones((900, 64))}, "X_source has pixels from -1"),
        ({"X_source": np.full((900, 64), np.nan)}, "X_source contains NaN"),
        ({"y_source": None}, "only y is given"),
        ({"y": None}, "only y_source is given"),
        ({"y": None, "y_source": None}, "X_source has 900 rows, and 500 are needed"),
        ({"y": np.zeros(3)}, "y has 3 rows, and 500 are needed"),
        ({"y_source": np.zeros(3)}, "y_source has 3 rows, and 900 are needed"),
        ({"y": np.full(500, 11)}, r"y_source has no row with the labels \[11\]"),
    ],
)
def test_errors_say_what_to_do(domains, change, message):
    given = {name: getattr(domains, name) for name in ("X", "y", "X_source", "y_source")} | change
    with pytest.raises(ValueError, match=message):
        TwoDecoderVAE(max_epochs=1).fit(**given)


def test_divergence_is_an_error_that_leaves_the_estimator_as_it_was(domains):
    phi = domains.fitted(max_epochs=1)
    before = phi.transform(domains.X)
    phi.set_params(lr=1e30, max_epochs=3)
    with pytest.raises(ValueError, match="the training diverged: the loss of epoch"):
        phi.fit(domains.X, domains.y, X_source=domains.X_source, y_source=domains.y_source)
    np.testing.assert_array_equal(phi.transform(domains.X), before)


def test_unfitted(domains):
    for method in ("transform", "reconstruct", "sample"):
        with pytest.raises(NotFittedError):
            getattr(TwoDecoderVAE(), method)(domains.X)


def test_progress_is_shown_where_wanted(domains, capsys):
    domains.fitted(max_epochs=2)
    assert capsys.readouterr().err == ""
    domains.fitted(max_epochs=2, verbose=1)
    assert "TwoDecoderVAE" in capsys.readouterr().err


def real(fetch, **options):
    try:
        return fetch(download_if_missing=False, **options)
    except FileNotFoundError as error:
        pytest.skip(str(error).partition(" Looked at")[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_labels", "options", "unseen"),
    [
        (1000, {"max_epochs": 200, "kl_weight": 0.1}, 0.7),
        (60_000, {"max_epochs": 50, **domain_mapping.LONG_TRAINING}, 0.85),
    ],
)
def test_clothes_become_digits_of_their_class(n_labels, options, unseen):
    """Bayazitov 2022, section 3.2: "the classes are always equal"; of images that were fitted."""
    source, target = real(fetch_mnist), real(fetch_fashion_mnist)
    test = real(fetch_fashion_mnist, subset="test")
    judge = domain_mapping.fit_digit_classifier(source)
    X, y = target.data[:n_labels], target.target[:n_labels]
    phi = TwoDecoderVAE(random_state=0, **options)
    phi.fit(X, y, X_source=source.data, y_source=source.target)
    assert judge.score(phi.transform(X), y) >= 0.95
    assert judge.score(phi.transform(test.data), test.target) > unseen
    assert judge.score(test.data, test.target) < 0.3


SMALL = TwoDecoderVAE(2, hidden_size=4, max_epochs=1, random_state=0)


def test_the_source_domain_passes_through_a_pipeline(domains):
    """With transform_input as if scaled by hand, and whole in a cross-validation."""
    scale = FunctionTransformer(lambda X: np.asarray(X) / 255)
    X, y = 255 * domains.X, domains.y
    source = {"X_source": (255 * domains.X_source,), "y_source": (domains.y_source,)}
    by_hand = clone(SMALL).fit(
        X / 255, y, X_source=255 * domains.X_source / 255, y_source=domains.y_source
    )
    with config_context(enable_metadata_routing=True):
        steps = [("scale", scale), ("phi", SMALL)]
        pipeline = Pipeline(steps, transform_input=["X_source"]).fit(X, y, **source)
        assert pipeline[-1].loss_curve_ == by_hand.loss_curve_
        with pytest.raises(ValueError, match=r"pixels from 0 to 255.*transform_input=\['X_source'"):
            Pipeline(steps).fit(X, y, **source)
    same_length = {"X_source": (domains.X_source[:500],), "y_source": (domains.y_source[:500],)}
    folds = cross_validate(
        SMALL,
        domains.X,
        y,
        cv=2,
        params=same_length,
        scoring=lambda phi, X, y: len(phi.transform(X)),
        error_score="raise",
    )
    assert folds["test_score"].tolist() == [250, 250]
