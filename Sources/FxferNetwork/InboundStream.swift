import NIOCore

/// What a channel's pipeline passes on, as a sequence for one reader with backpressure: while two elements wait, the
/// socket is not read.
///
/// Unlike NIO's own wrapper this may be let go of unread, as happens to clients that a server accepts while it ends:
/// the channel is closed then.
package struct InboundStream<Element: Sendable>: AsyncSequence, Sendable {
    package typealias AsyncIterator = Producer.AsyncIterator

    package typealias Producer = NIOThrowingAsyncSequenceProducer<
        Element, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark,
        InboundStreamDelegate<Element>
    >

    private let producer: Producer

    /// Ends the channel's pipeline with a handler that feeds the stream. Must be called on the channel's event loop.
    package init(from channel: any Channel) throws {
        let handler = InboundStreamHandler<Element>()
        let new = Producer.makeSequence(
            elementType: Element.self,
            failureType: (any Error).self,
            backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2),
            finishOnDeinit: true,
            delegate: InboundStreamDelegate(handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
        )
        handler.source = new.source
        self.producer = new.sequence
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    package func makeAsyncIterator() -> AsyncIterator {
        self.producer.makeAsyncIterator()
    }
}

/// Tells the handler what the reader of the stream does.
package struct InboundStreamDelegate<Element: Sendable>: NIOAsyncSequenceProducerDelegate {
    fileprivate let handler: NIOLoopBound<InboundStreamHandler<Element>>

    package func produceMore() {
        self.handler.execute { $0.produceMore() }
    }

    package func didTerminate() {
        self.handler.execute { $0.readerIsGone() }
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

    /// Nil once the channel's input has ended.
    var source: InboundStream<Element>.Producer.Source?
    private var context: ChannelHandlerContext?
    private var isPaused = false
    private var hasHeldRead = false

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.finish(nil)
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if self.source?.yield(self.unwrapInboundIn(data)) == .stopProducing {
            self.isPaused = true
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.finish(nil)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.finish(error)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            self.finish(nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func read(context: ChannelHandlerContext) {
        if self.isPaused {
            self.hasHeldRead = true
        } else {
            context.read()
        }
    }

    func produceMore() {
        self.isPaused = false
        if self.hasHeldRead {
            self.hasHeldRead = false
            self.context?.read()
        }
    }

    /// The reader has let go of the stream. Where the input has not ended, nobody will ever hear it: close.
    func readerIsGone() {
        guard self.source != nil else { return }
        self.source = nil
        self.context?.close(promise: nil)
    }

    private func finish(_ error: (any Error)?) {
        guard let source = self.source else { return }
        self.source = nil
        if let error {
            source.finish(error)
        } else {
            source.finish()
        }
    }
}
