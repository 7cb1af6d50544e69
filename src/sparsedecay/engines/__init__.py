"""What computes epochs: arrays in, arrays out."""
