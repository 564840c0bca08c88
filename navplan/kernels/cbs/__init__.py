"""The searches inside conflict trees."""
