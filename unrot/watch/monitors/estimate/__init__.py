"""The accuracy that nobody has judged, by how sure a model is of its answers."""
