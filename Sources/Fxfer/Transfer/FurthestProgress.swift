import Synchronization

/// How far each file of a transfer has come, over all tries: only what goes beyond that is progress. A peer that takes
/// or gives the same beginning again and again does not keep a transfer alive.
final class FurthestProgress: Sendable {
    /// Verified bytes of the files that are not over.
    private let verified = Mutex<[TransferFile: UInt64]>([:])

    /// That much of a file is verified; answers whether it never was before.
    func note(_ file: TransferFile, _ bytes: UInt64) -> Bool {
        self.verified.withLock { verified in
            guard bytes > verified[file] ?? 0 else { return false }
            verified[file] = bytes
            return true
        }
    }

    /// The file is over.
    func forget(_ file: TransferFile) {
        self.verified.withLock { verified in
            guard !verified.isEmpty else { return }
            verified[file] = nil
        }
    }
}
