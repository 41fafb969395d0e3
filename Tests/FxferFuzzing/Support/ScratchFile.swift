import CLinux
import Glibc

@testable import FxferStorage

/// Makes a file without a name, in memory where there is such a file system, that has these bytes.
func scratchFile(_ bytes: [UInt8]) throws -> OwnedDescriptor {
    for folder in ["/dev/shm", "/tmp"] {
        let flags = clinux_o_tmpfile | O_RDWR
        guard let file = try? OwnedDescriptor.open(CPath(folder), flags, mode: 0o600) else { continue }
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        return file
    }
    throw BrokenRule(description: "no temporary file can be made")
}
