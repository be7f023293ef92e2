-- vim:ft=lua
-- The virtual bus of the real-time clock's driver: the clock and nothing else.
local hardware = Io.system_bus()

Io.add_vbusses
{
  clock = Io.Vi.System_bus(function ()
    device = wrap(hardware:match("PNP0B00", "arm,pl031"));
  end)
}
