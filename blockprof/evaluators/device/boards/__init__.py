"""Boards: other machines that networks are measured on, over ssh. The journal and the statistics stay here."""
