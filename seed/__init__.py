"""The demo's data: sample customers told as events, and generated customers around them."""
