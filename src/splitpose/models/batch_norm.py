"""BatchNorm as one operation where TensorFlow computes; the rest of the models' code knows no backend."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("splitpose")
class BatchNorm(keras.layers.BatchNormalization):
    """Keras' own layer, its weights and its function, for maps (B, H, W, C).

    Keras computes it from a dozen operations a pass, half of the time of a training step on CPUs; TensorFlow
    has all of them fused. Other backends compile what Keras writes. Where several devices share a batch, Keras' way
    takes the statistics of the whole of it.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            self.synchronized = tf.distribute.get_strategy().num_replicas_in_sync > 1

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """(B, H, W, C) -> the same; takes the batch's statistics and remembers them if it trains."""
        if keras.backend.backend() != "tensorflow" or self.synchronized:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        if not (training and self.trainable):
            return tf.raw_ops.FusedBatchNormV3(
                x=inputs,
                scale=self.gamma,
                offset=self.beta,
                mean=self.moving_mean,
                variance=self.moving_variance,
                epsilon=self.epsilon,
                is_training=False,
            ).y
        fused = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma,
            offset=self.beta,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        places = ops.cast(ops.prod(ops.shape(inputs)[:-1]), "float32")
        # The operation tells the variance of the population; Keras remembers that of the batch.
        variance = fused.batch_variance * (places - 1.0) / places
        for kept, new in ((self.moving_mean, fused.batch_mean), (self.moving_variance, variance)):
            kept.assign(kept * self.momentum + new * (1.0 - self.momentum))
        return fused.y
