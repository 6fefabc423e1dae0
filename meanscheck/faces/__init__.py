"""Faces: what people and programs outside see. The only room that reads the clock."""
