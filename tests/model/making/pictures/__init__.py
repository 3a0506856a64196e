"""Networks for pictures: adding one, finding its input, and files of Keras and PyTorch."""
