"""Watch a model: profiles, periods and monitors that see it rot, and what they find."""
