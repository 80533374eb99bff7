"""Why a model is right less often: broken rows, other rows, or another truth."""
