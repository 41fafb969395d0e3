import Glibc
import NIOCore

/// A descriptor that is read as its bytes come; its flags are left alone, as other processes may share them.
struct StreamInput: Sendable {
    let number: CInt

    /// Adds what comes to `bytes` until there are `count` of them, the input ends or the time is over; answers whether
    /// it was one of the first two.
    ///
    /// poll(2), then one read(2) of what is there.
    func read(into bytes: inout ByteBuffer, until count: Int, for time: Duration) throws(Errno) -> Bool {
        let deadline = ContinuousClock.now + time
        while bytes.readableBytes < count {
            guard try self.waitForInput(until: deadline) else { return false }
            guard let isEnd = try self.readOnce(into: &bytes, count - bytes.readableBytes) else { continue }
            if isEnd { return true }
        }
        return true
    }

    /// Whether there is something to read, an end or an error included, before the deadline.
    private func waitForInput(until deadline: ContinuousClock.Instant) throws(Errno) -> Bool {
        while true {
            let rest = max(deadline - .now, .zero) / Duration.milliseconds(1)
            var event = pollfd(fd: self.number, events: Int16(POLLIN), revents: 0)
            do {
                return try once { poll(&event, 1, CInt(rest.rounded(.up))) } > 0
            } catch {
                guard error.number == EINTR else { throw error }
            }
        }
    }

    /// Whether the input has ended; nil where another reader of it was faster.
    private func readOnce(into bytes: inout ByteBuffer, _ count: Int) throws(Errno) -> Bool? {
        var failure: Errno?
        let done = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { buffer in
            do throws(Errno) {
                return try retrying { Glibc.read(self.number, buffer.baseAddress, count) }
            } catch {
                failure = error
                return 0
            }
        }
        guard let failure else { return done == 0 }
        guard failure.number == EAGAIN || failure.number == EWOULDBLOCK else { throw failure }
        return nil
    }
}
