"""Customer segmentation and personalisation that runs where the data lives."""

__version__ = "0.1.0"
