import Synchronization

/// Where tests have system calls fail that would succeed: a disk that is full, broken or interrupted at will.
///
/// Nobody else sets anything here. Each call of ``once(_:_:_:_:)`` and its sisters then looks at one flag more.
package enum SystemFaults {
    /// What happens to a call.
    package enum Fault: Hashable, Sendable {
        /// It is not made, and fails.
        case failure(Errno)
        /// It is made for so many bytes at the most: of pread(2) and pwrite(2).
        case short(Int)
    }

    /// Which file a call is about.
    package enum Place: Sendable {
        /// Of a call on a name, the folder: the one where the name is to be.
        case descriptor(CInt)
        case path(CPath)
    }

    /// Decides on a call that is about to be made, on whatever thread; nil where it is to take its course. It must make no
    /// calls of this module itself.
    package protocol Source: AnyObject, Sendable {
        func fault(for call: SystemCall, _ place: Place) -> Fault?
    }

    private static let isSet = Atomic(false)
    private static let source = Mutex<(any Source)?>(nil)

    /// From now on `source` decides, or nobody.
    package static func set(_ source: (any Source)?) {
        self.source.withLock { $0 = source }
        self.isSet.store(source != nil, ordering: .releasing)
    }

    /// What happens to this call; nil where it takes its course.
    @inline(__always)
    static func next(_ call: SystemCall, _ place: @autoclosure () -> Place) -> Fault? {
        // Who sets it makes its calls afterwards, on its thread or one that it gives them to.
        guard self.isSet.load(ordering: .relaxed) else { return nil }
        return self.decide(call, place())
    }

    @inline(never)
    private static func decide(_ call: SystemCall, _ place: Place) -> Fault? {
        self.source.withLock { $0 }?.fault(for: call, place)
    }
}
