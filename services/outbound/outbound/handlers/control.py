"""Control events: a channel changed, a key was revoked, or some of them may have been missed."""

from outbound.adapters.channels import Channels
from outbound.handlers.dispatcher import ALL_CHANNELS, Dispatcher
from outbound.handlers.sending import Sending
from shared.cache import StaleCache
from shared.clock import Clock
from shared.contracts import ChannelChanged, ControlCaughtUp, Envelope, KeyRevoked
from shared.principal import Principal


class Control:
    """Keeps caches true and sets waiting replies going. Never blocks."""

    def __init__(
        self,
        channels: Channels,
        principals: StaleCache[Principal],
        sending: Sending,
        dispatcher: Dispatcher,
        clock: Clock,
    ) -> None:
        self._channels = channels
        self._principals = principals
        self._sending = sending
        self._dispatcher = dispatcher
        self._clock = clock

    def on_event(self, envelope: Envelope) -> None:
        """Apply one event. Raises ContractError for one that cannot be read."""
        if envelope.type == KeyRevoked.TYPE:
            self._principals.forget(envelope.payload(KeyRevoked).key_hash)
        if envelope.type == ChannelChanged.TYPE:
            self._channel_changed(envelope.payload(ChannelChanged))
        if envelope.type == ControlCaughtUp.TYPE:
            as_of, now = envelope.payload(ControlCaughtUp).as_of, self._clock()
            self._principals.told(as_of, now)
            self._channels.told(as_of, now)

    def _channel_changed(self, event: ChannelChanged) -> None:
        if event.change == "deleted":
            self._channels.deleted(event.channel_id)
        else:
            self._channels.changed(event.channel_id)
        if event.change != "health":
            # It needs attention: trying what waits would only show it once more.
            self._dispatcher.resume(event.channel_id)

    def on_gap(self) -> None:
        """Events may have been missed, status callbacks with them."""
        self._principals.expire_all()
        self._channels.all_changed()
        self._sending.listening_anew()
        self._dispatcher.resume(ALL_CHANNELS)
