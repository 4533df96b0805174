"""From labelled questions to a model that may answer. It needs scikit-learn: the worker's alone."""
