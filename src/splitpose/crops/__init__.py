"""Crops of person instances: region of interest, affine map, augmentation and TFRecord shards."""
