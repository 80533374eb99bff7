"""The API as an OpenAPI 3 document."""
