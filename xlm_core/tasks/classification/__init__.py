"""Fine-tuning on XNLI and GLUE (paper, section 4.1)."""
