import FxferProtocol
import FxferStorage
import NIOCore

/// Files whose content is in memory: nothing about them ever waits for a disk, so each is brought forward where it
/// stands, by the loop that offers files and by the one that reads the answers. Thousands of them cost no task.
extension FileSending {
    /// Brings a file on as far as it goes without a further answer.
    func advance(_ loaded: LoadedOutgoing<Label>, _ file: FileID) {
        while let step = self.sending.sender?.nextStep(of: file) {
            switch step {
            case .done(let receipt):
                let rewinds = self.sending.sender?.rewinds(file) ?? 0
                return self.end(loaded, file, .success(SentReceipt(receipt: receipt, rewinds: rewinds)))
            case .same:
                return self.end(loaded, file, .success(nil))
            case .refused(let error):
                return self.end(loaded, file, .failure(error))
            case .wait, .awaitReceipt:
                return
            case .hashPrefix(let length):
                let prefix = FilePrefix(length: length, digest: Self.digest(of: loaded, length))
                self.sending.sender?.prefixHashed(file, prefix)
            case .restart, .rewind:
                continue
            case .repair(let repair):
                self.wire.write(.repair(repair))
            case .skip(let offset):
                self.sending.sender?.skipped(file, to: offset)
            case .read(let offset, let count):
                self.sendChunk(loaded, file, at: offset, count)
            case .finish:
                guard let finish = self.sending.sender?.finish(file) else { continue }
                do throws(FxferError) {
                    try loaded.expected?.check(finish.content, self.name(of: loaded.label))
                } catch {
                    return self.end(loaded, file, .failure(error))
                }
                self.wire.write(.finish(finish))
            }
        }
    }

    private func sendChunk(_ loaded: LoadedOutgoing<Label>, _ file: FileID, at offset: UInt64, _ count: Int) {
        let start = loaded.bytes.readerIndex + Int(offset)
        guard let bytes = loaded.bytes.getSlice(at: start, length: count) else {
            preconditionFailure("what is loaded has the size that was offered")
        }
        let end = offset + UInt64(count)
        let prefix = FilePrefix(length: end, digest: Self.digest(of: loaded, end))
        guard let chunk = self.sending.sender?.chunkRead(file, at: offset, prefix) else { return }
        self.wire.write(copying: bytes, as: chunk, prefix.digest)
    }

    /// The digest of the first `length` bytes, which nearly always are all.
    private static func digest(of loaded: LoadedOutgoing<Label>, _ length: UInt64) -> Digest {
        if length == UInt64(loaded.bytes.readableBytes) { return loaded.digest }
        var hash = SHA256()
        loaded.bytes.withUnsafeReadableBytes { bytes in
            hash.update(UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(length))))
        }
        return hash.digest()
    }

    private func end(_ loaded: LoadedOutgoing<Label>, _ file: FileID, _ result: Result<SentReceipt?, FxferError>) {
        self.sending.loaded[file] = nil
        self.close(file, result)
        self.noteEnded(loaded.label, result)
        self.wakeLoadedWaiter()
    }

    /// Returns when every file that is in memory is over.
    func waitForLoaded() async {
        guard !self.sending.loaded.isEmpty else { return }
        self.wire.flush()
        await withCheckedContinuation { self.sending.loadedWaiter = $0 }
    }

    private func wakeLoadedWaiter() {
        guard self.sending.loaded.isEmpty else { return }
        self.sending.loadedWaiter?.resume()
        self.sending.loadedWaiter = nil
    }

    /// The connection failed: every file that is open ends with that.
    func endLoaded(_ error: FxferError) {
        let open = self.sending.loaded
        self.sending.loaded = [:]
        for (_, loaded) in open.sorted(by: { $0.key < $1.key }) {
            self.noteEnded(loaded.label, .failure(error))
        }
        self.wakeLoadedWaiter()
    }
}
