import FxferProtocol
import Synchronization

/// Whether and how the files of a store can be read again from the device: found out when that is first asked for.
final class MediaProbe: Sendable {
    private enum Finding {
        case none
        case possible(MediaAccess)
        case impossible
    }

    private let partials: PartialsFolder
    private let finding = Mutex(Finding.none)

    init(_ partials: PartialsFolder) {
        self.partials = partials
    }

    /// Whether it is known that they can. Never waits for the disk.
    var isPossible: Bool {
        self.finding.withLockIfAvailable { if case .possible = $0 { true } else { false } } ?? false
    }

    /// How they are read.
    ///
    /// - Throws: `.cannotCreate` where they cannot be, for `path`; `.noSpace`, `.io` where that could not be found out.
    func access(for path: RelativePath) throws(FxferError) -> MediaAccess {
        let access = try receiving("read again", path) { () throws(Errno) -> MediaAccess? in
            try self.finding.withLock { finding throws(Errno) in
                switch finding {
                case .possible(let access): return access
                case .impossible: return nil
                case .none:
                    let access = try MediaAccess.probe(in: self.partials)
                    finding = access.map { .possible($0) } ?? .impossible
                    return access
                }
            }
        }
        guard let access else {
            throw FxferError(
                .cannotCreate,
                "cannot store '\(path)' at the level 'media': the file system of the receiver's directory does not let it "
                    + "read from a disk; require 'durable'"
            )
        }
        return access
    }
}
