"""Promotion of a challenger to champion: automatic after retraining, if it passes the gate, or manual."""
