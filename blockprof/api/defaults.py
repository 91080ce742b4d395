"""What the verbs take where nothing is said, and the command line's help says: without an import."""

NUM_NETS = 50
DESIGN = "d-optimal"
RESOLUTION = 224
METRIC = "my-cpu"
BLOCKS_SUFFIX = "-blocks"
REFERENCE = "reference"
REFERENCE_METRICS = ("npu",)
REFERENCE_NETS = 5000
