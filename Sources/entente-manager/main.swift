import Glibc
import ManagerRuntime

// The manager enclave. See ManagerRuntime for what it does.
exit(runManager())
