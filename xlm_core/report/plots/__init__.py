"""Figures: numbers in, svg, png or pdf files out, the same byte for byte."""
