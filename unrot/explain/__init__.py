"""Why a version answered as it did: what each feature of a row added to its answer.

Explanations are made when somebody asks for one, from what lies on the shelf beside the version
and without scikit-learn. No plain prediction imports this room.
"""
