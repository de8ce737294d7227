"""Reads an OpenAPI document and says what is wrong with it. Usage: validate.py URL"""

import sys

import requests
from openapi_spec_validator import OpenAPIV31SpecValidator

document = requests.get(sys.argv[1], timeout=30).json()
faults = [f"{list(fault.absolute_path)}: {fault.message}" for fault in OpenAPIV31SpecValidator(document).iter_errors()]
sys.exit("\n".join(faults) or 0)
