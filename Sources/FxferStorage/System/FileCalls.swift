import Glibc

// All calls on files of this module go through these functions, so that tests can have each of them fail.

/// Makes a call on an open file once; -1 is thrown as ``Errno``.
@discardableResult
func once(_ call: SystemCall, _ descriptor: CInt, _ body: (CInt) -> CInt) throws(Errno) -> CInt {
    try checkFault(call, .descriptor(descriptor))
    return try once { body(descriptor) }
}

/// Makes a call on a path of this machine's own user once; -1 is thrown as ``Errno``.
@discardableResult
func once(_ call: SystemCall, _ path: CPath, _ body: ([CChar]) -> CInt) throws(Errno) -> CInt {
    try checkFault(call, .path(path))
    return try once { body(path.characters) }
}

/// Makes a call on an open file, again as long as a signal interrupts it; see ``retrying(_:)``.
@discardableResult
func retrying(_ call: SystemCall, _ descriptor: CInt, _ body: (CInt) -> CInt) throws(Errno) -> CInt {
    try uninterrupted { () throws(Errno) in try once(call, descriptor, body) }
}

/// Makes a call on a path of this machine's own user, again as long as a signal interrupts it; see ``retrying(_:)``.
@discardableResult
func retrying(_ call: SystemCall, _ path: CPath, _ body: ([CChar]) -> CInt) throws(Errno) -> CInt {
    try uninterrupted { () throws(Errno) in try once(call, path, body) }
}

/// Reads from or writes to an open file, again as long as a signal interrupts it; answers how many bytes that were, of
/// `count` at the most.
func transferring(
    _ call: SystemCall,
    _ descriptor: CInt,
    upTo count: Int,
    _ body: (CInt, Int) -> Int
) throws(Errno) -> Int {
    try uninterrupted { () throws(Errno) in
        var count = count
        switch SystemFaults.next(call, .descriptor(descriptor)) {
        case nil: break
        case .failure(let error): throw error
        case .short(let limit): count = min(count, limit)
        }
        let result = body(descriptor, count)
        guard result != -1 else { throw Errno.last }
        return result
    }
}

@inline(__always)
private func checkFault(_ call: SystemCall, _ place: @autoclosure () -> SystemFaults.Place) throws(Errno) {
    guard case .failure(let error)? = SystemFaults.next(call, place()) else { return }
    throw error
}

private func uninterrupted<Result>(_ call: () throws(Errno) -> Result) throws(Errno) -> Result {
    while true {
        do throws(Errno) {
            return try call()
        } catch {
            guard error.number == EINTR else { throw error }
        }
    }
}
