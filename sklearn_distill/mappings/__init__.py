"""Maps φ between domains: a student of one domain learns from a teacher f of another, by f∘φ."""

from sklearn_distill.mappings.gaussian_noise import GaussianNoise
from sklearn_distill.mappings.random_convolution import RandomConvolution
from sklearn_distill.mappings.style_transfer import StyleTransfer
from sklearn_distill.mappings.two_decoder_vae import TwoDecoderVAE

__all__ = ["GaussianNoise", "RandomConvolution", "StyleTransfer", "TwoDecoderVAE"]
