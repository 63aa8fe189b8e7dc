from benchmarks.machine import FORWARD_FLOP, _block


def test_the_arithmetic_of_vgg16_is_that_of_the_network_that_is_run():
    from worker.backbones.keras_networks import _multiply_adds, published_network

    published = published_network("vgg16")
    assert 2 * _multiply_adds(published.cut("fc1")) == FORWARD_FLOP


def test_the_weights_that_are_read_are_layers_of_the_network():
    from worker.backbones.keras_networks import published_network

    layers = {spec.name for spec in published_network("vgg16").specs}
    assert set(_block(1, 2) + _block(5, 3)) <= layers
