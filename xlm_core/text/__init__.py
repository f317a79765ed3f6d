"""From the publishers' files to tokenized, segmented text."""
