"""Tables in and out: a classifier of iris flowers that is fitted when the server starts."""

from typing import Annotated, Any

import pandas as pd
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

import maas

NAMES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
Flowers = Annotated[pd.DataFrame, maas.Columns(dict.fromkeys(NAMES, "float64"))]


@maas.on_startup
def announce() -> None:
    """Before the first request, and once for each version on --reload."""
    print(f"expecting the columns {', '.join(NAMES)}", flush=True)


@maas.service(name="iris")
class Iris:
    """One instance serves every request."""

    def setup(self) -> None:
        """Before it is served."""
        data = load_iris()
        self.kinds = [str(name) for name in data.target_names]
        self.model: Any = LogisticRegression(max_iter=500).fit(data.data, data.target)

    def health(self) -> bool | str:
        """Asked every second; /readyz tells what it says."""
        return hasattr(self.model, "coef_") or "the model is not fitted"

    def teardown(self) -> None:
        """After its last request."""
        del self.model

    @maas.endpoint("/classify")
    def classify(self, flowers: Flowers) -> pd.DataFrame:
        """The kind of each flower, with how sure the model is."""
        probabilities = self.model.predict_proba(flowers.to_numpy())
        kinds = [self.kinds[index] for index in probabilities.argmax(axis=1)]
        return flowers.assign(kind=kinds, probability=probabilities.max(axis=1))


@maas.endpoint("/describe")
def describe(table: pd.DataFrame) -> pd.DataFrame:
    """Count, mean and the like of the columns that hold numbers."""
    return table.describe().reset_index(names="figure")
