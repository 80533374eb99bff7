"""The words of the product and its ports: nothing here knows HTTP, SQL or a vendor."""
