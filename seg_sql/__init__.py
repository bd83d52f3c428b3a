"""Customer segmentation and personalisation that runs where the data lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seg_sql.api import Project, clv, item_similarity, kmeans, rfm

__version__ = "0.1.0"

__all__ = ["Project", "__version__", "clv", "item_similarity", "kmeans", "rfm"]


def __getattr__(name: str) -> Any:
    """Import what notebooks use when it is asked for: the command line does without."""
    if name in __all__:
        from seg_sql import api

        return getattr(api, name)
    raise AttributeError(f"module 'seg_sql' has no attribute '{name}'")
