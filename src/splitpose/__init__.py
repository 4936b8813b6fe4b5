"""Small upper-body pose models for phones, after Debnath et al., AVSS 2018."""
