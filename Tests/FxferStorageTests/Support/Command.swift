import Glibc

@testable import FxferStorage

/// Runs a program to its end.
///
/// - Throws: EPERM where it fails.
func runCommand(_ command: [String]) throws {
    var process = pid_t()
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
    defer { arguments.forEach { free($0) } }
    arguments.append(nil)
    let error = posix_spawnp(&process, command[0], nil, nil, arguments, environ)
    guard error == 0 else { throw Errno(error) }
    var status: CInt = 0
    try retrying { waitpid(process, &status, 0) }
    guard status == 0 else { throw Errno(EPERM) }
}
