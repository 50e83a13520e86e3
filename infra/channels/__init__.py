"""Channels: the ways an alert leaves the house. Each raises DeliveryFailed to be retried."""
