"""Words that search treats alike or not at all, in the languages we serve."""

_SAYS_NOTHING = """
a an the and or but if of to in on at for from by with as is am are was were be been being do
does did done has have had i im ive id you your yours he she it its they them we us our my me
mine this that these those there here what which who whom whose when where why how can could
will would shall should may might must not no so too very just about again also then than any
some all please tell say said remember recall remind know knew told forget forgot mentioned dont
doesnt didnt cant isnt up out let el la los las un una de del que y o en por para con mi mis tu
tus su te se es soy eres estoy donde cual como cuando recuerdas acuerdas sabes dije um uma os da
dos das e na em meu minha eu voce lembra sabe onde qual quando quem hai hain ho hu hoon ka ki ke
ko mein main mera meri mujhe kya kahan kab kaun yaad tumhe aapko maine
"""
STOP_WORDS = frozenset(_SAYS_NOTHING.split())
"""They say nothing about what a memory is about."""

_ALIKE = """
work job employ employer company office career boss profession trabajo trabajas trabaja empresa trabalho trabalha emprego kaam naukri
name call llamo llama nombre chamo nome naam
live home house city town address country move vivo vives vive casa ciudad moro mora cidade rehta rehti ghar
surgery operation appointment doctor hospital clinic scan cirugia operacion cita medico cirurgia operacao consulta
child kid son daughter baby hijo hija hijos filho filha filhos beta beti bacche
wife husband partner spouse married boyfriend girlfriend esposa esposo marido novia novio namorada namorado pati patni
sister brother sibling hermana hermano irma irmao behen bhai
mother mom mum father dad parent madre padre mama papa mae pai
dog cat pet perro gato mascota cachorro kutta billi
birthday born birth cumpleanos nacimiento aniversario nasci
old age year edad anos idade umar
like love enjoy favorite favourite hobby prefer gusta encanta favorito gosto adoro pasand
study school university college course degree estudio escuela universidad estudo escola faculdade padhai
sick ill disease diagnos condition medication allergic allergy enfermo enfermedad alergia doente doenca bimar dawai
"""
CONCEPTS = tuple(frozenset(line.split()) for line in _ALIKE.strip().splitlines())
"""One line, one thing: "where do I work?" finds "my job is..."."""
