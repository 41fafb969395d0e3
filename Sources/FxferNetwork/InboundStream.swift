import NIOCore

/// What a channel's pipeline passes on, as a sequence for one reader with backpressure: while 1 MiB waits, or eight
/// elements, the socket is not read; nor, where the ``ReadBudget`` is spent, while anything waits or is worked on.
///
/// It may be let go of unread, as happens to clients that a server accepts while it ends: the channel is closed then.
/// The same happens when the reader's task is cancelled.
package struct InboundStream<Element: Sendable>: AsyncSequence, Sendable {
    private let reader: Reader

    /// Ends the channel's pipeline with a handler that feeds the stream. Must be called on the channel's event loop.
    ///
    /// - Parameters:
    ///   - budget: where elements are counted until the reader waits for what comes behind them.
    ///   - size: how many bytes an element has.
    package init(
        from channel: any Channel,
        _ budget: ReadBudget = .shared,
        size: @escaping @Sendable (Element) -> Int
    ) throws {
        let queue = InboundQueue(budget, size: size)
        let handler = InboundStreamHandler(queue)
        self.reader = Reader(queue, NIOLoopBound(handler, eventLoop: channel.eventLoop))
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    /// The next element, if it waits already and `condition` holds for it.
    package func takeWaiting(where condition: (Element) -> Bool) -> Element? {
        self.reader.takeWaiting(where: condition)
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(reader: self.reader)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let reader: Reader

        /// The next element; nil at the end. Where the caller runs on the channel's event loop no thread is woken.
        ///
        /// - Throws: what ended the channel; `CancellationError`.
        package mutating func next(isolation: isolated (any Actor)?) async throws -> Element? {
            try await self.reader.next(isolation: isolation)
        }
    }

    /// The end of the stream at which elements are taken. There is no reader any more when it is gone.
    fileprivate final class Reader: Sendable {
        private let queue: InboundQueue<Element>
        private let handler: NIOLoopBound<InboundStreamHandler<Element>>

        init(_ queue: InboundQueue<Element>, _ handler: NIOLoopBound<InboundStreamHandler<Element>>) {
            self.queue = queue
            self.handler = handler
        }

        deinit {
            self.handler.execute { $0.readerIsGone() }
        }

        func next(isolation: isolated (any Actor)?) async throws -> Element? {
            return try await withTaskCancellationHandler {
                // Named, as only so this closure is isolated to it.
                try await withCheckedThrowingContinuation(isolation: isolation) { waiter in
                    self.queue.take(waiter)
                    self.readOn()
                }
            } onCancel: {
                self.queue.cancel()
                self.handler.execute { $0.readerIsGone() }
            }
        }

        func takeWaiting(where condition: (Element) -> Bool) -> Element? {
            defer { self.readOn() }
            return self.queue.takeWaiting(where: condition)
        }

        /// Has the socket read again where there is room and that was held back.
        private func readOn() {
            guard self.queue.endPause() else { return }
            self.handler.execute { $0.readOn() }
        }
    }
}

extension NIOLoopBound {
    /// Runs `body` with the value on its event loop.
    fileprivate func execute(_ body: @escaping @Sendable (Value) -> Void) {
        if self.eventLoop.inEventLoop {
            body(self.value)
        } else {
            self.eventLoop.execute { body(self.value) }
        }
    }
}

/// The last handler of a pipeline: hands each element to the stream and holds reads back while enough wait there.
private final class InboundStreamHandler<Element: Sendable>: ChannelDuplexHandler {
    typealias InboundIn = Element
    typealias OutboundIn = Never

    private let queue: InboundQueue<Element>
    private var context: ChannelHandlerContext?
    private var hasEnded = false
    private var hasHeldRead = false

    init(_ queue: InboundQueue<Element>) {
        self.queue = queue
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.finish(.success(nil))
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.queue.add(self.unwrapInboundIn(data))
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.finish(.success(nil))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.finish(.failure(error))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            self.finish(.success(nil))
        }
        context.fireUserInboundEventTriggered(event)
    }

    func read(context: ChannelHandlerContext) {
        if self.queue.pauseIfFull() {
            self.hasHeldRead = true
        } else {
            context.read()
        }
    }

    /// There is room again.
    func readOn() {
        guard self.hasHeldRead else { return }
        self.hasHeldRead = false
        self.context?.read()
    }

    /// The reader has let go of the stream. Where the input has not ended, nobody will ever hear it: close.
    func readerIsGone() {
        guard !self.hasEnded else { return }
        self.hasEnded = true
        self.context?.close(promise: nil)
    }

    private func finish(_ end: Result<Element?, any Error>) {
        self.hasEnded = true
        self.queue.finish(end)
    }
}
