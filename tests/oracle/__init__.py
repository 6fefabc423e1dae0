"""An independent reckoning: plain SQL over a county, and thirty households by hand."""
