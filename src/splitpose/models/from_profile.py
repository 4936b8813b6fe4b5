"""A variant's model and codec, built with the parameters of a profile."""

import keras

from splitpose.codecs import Codec
from splitpose.models import registry
from splitpose.settings import Profile


def build_seeded_model(variant: str, profile: Profile) -> keras.Model:
    """Build the variant's model with initial weights drawn from the profile's training seed.

    Sets the global seed and makes TensorFlow's operations deterministic, so that training after it is reproducible.
    """
    keras.utils.set_random_seed(profile.training.seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    return registry.build(
        variant,
        size=profile.crops.size,
        width=profile.model.width_multiplier,
        momentum=profile.model.batchnorm_momentum,
        split=profile.model.split,
    )


def build_codec(variant: str, profile: Profile) -> Codec:
    """Return the variant's codec for the profile's crops."""
    return registry.build_codec(variant, profile.crops.size, profile.training.heatmap_fwhm, profile.model.decoding)
