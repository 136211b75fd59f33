import asyncio, time, pytest
from shared.bus.rabbit import RabbitBus
from shared.bus.topology import *
from shared.contracts import *
from tests.support.mongod import fresh_database_name
@pytest.mark.timeout(570)
async def test_x(rabbit):
    ev=Envelope.of(UserCreated(user_id="eu_1",channel="sdk"),source="b",subject="s",tenant="t",id="x")
    t00=time.time()
    i=0
    while time.time()-t00<430:
        i+=1
        v=fresh_database_name(); await rabbit.create_vhost(v)
        bus=await RabbitBus.open(rabbit.uri(v),name="t"); await bus.declare(TOPOLOGY)
        if i%2: await bus.publish(INTERACTIONS,"user.created",ev)
        await rabbit.kill(); await rabbit.start(); t=time.time()
        state=None
        while time.time()-t<60:
            r=[]
            for f in (lambda: bus.check(TOPOLOGY), lambda: bus.publish(INTERACTIONS,"user.created",ev,timeout_s=1), lambda: bus.publish(INBOUND,"p00",ev,timeout_s=1)):
                try: await f(); r.append("ok")
                except Exception as e: r.append(str(e)[:40])
            if all(x=="ok" for x in r): break
            if time.time()-t>3 and state!=r: print("kill slow", i, round(time.time()-t,2), r)
            state=r
            await asyncio.sleep(0.3)
        print("----", i, round(time.time()-t,1))
        await bus.close()
