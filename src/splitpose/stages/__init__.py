"""One module per DVC stage, which reads settings and files, calls library code and writes files."""

import sys

from splitpose.stages import log

# `python -m splitpose.stages.<stage>` imports this package before the stage's module, and sys.argv[0] is "-m" only
# while Python looks for that module. Redirecting here, and not in the stage, also catches what TensorFlow prints
# from C++ while it is imported.
if sys.argv[0] == "-m":
    log.redirect_native_output()
