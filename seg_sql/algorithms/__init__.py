"""The drivers of the iterative algorithms; their statements are in sql/algorithms/."""

from seg_sql.algorithm import Algorithm, Fit, Task

__all__ = ["Algorithm", "Fit", "Task"]
