"""The cloud accounts that the stories play in. Nothing here is a secret: it opens nothing."""

AWS_ACCOUNT = "123456789012"
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
"""The example key of AWS's documentation, which the simulated AWS gives to its first account."""

REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-southeast-1",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-north-1",
)
"""The regions that dstack uses when its AWS backend names none."""

HANGS, CLOSES = "eu-west-2", "us-east-2"
"""Those that do not answer in the stories of a broken region."""
