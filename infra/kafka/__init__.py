"""Kafka at the edges: facts and marks in, alerts and changes out."""
